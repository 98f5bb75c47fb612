"""portsup, supervisord and a C program that does the least a supervisor can do, measured in turn on one machine."""
