#!/bin/bash -e
exec python api.py "$@"
