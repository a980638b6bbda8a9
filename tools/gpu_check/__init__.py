"""``python -m tools.gpu_check``: does a GPU compute what the CPU computes, and how near is it to its own limits?"""
