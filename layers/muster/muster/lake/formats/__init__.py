"""Named import formats: each file here reads one well-known export.

A format has ``TABLE``, the table it gives, and ``read(path)``, which yields what
:mod:`muster.lake.taken` describes. Nothing else names it: it is found by walking this package.
"""
