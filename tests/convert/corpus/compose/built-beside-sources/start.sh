#!/bin/sh
exec ./shop
