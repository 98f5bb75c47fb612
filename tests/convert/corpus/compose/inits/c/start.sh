#!/bin/sh
exec node c.js "$@"
