"""Reports: values, readings and verdicts in; email, site and JSON out."""
