"""Joints: where one activity's values become another's. Only these and app.py know several."""
