"""Every compiled loop of driftlock; nothing here knows pandas, options or users.

A kernel takes bare C-contiguous arrays of one dtype, has one signature, releases the GIL and has a
slow, plain twin in ``tests/naive*.py``.
"""
