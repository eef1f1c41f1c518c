"""The framework custom_ml as a Bridge plugin."""
