#!/bin/sh
exec python own.py
