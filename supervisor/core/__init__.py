"""What portsup decides.  Pure: no file, no socket, no clock; `now` is handed in, in monotonic seconds.

The life of one service is a function, `service.step`: from (service, event, now) to (service, effects).  Events are in
the past tense (`PortLeased`, `Exited`), effects are imperative (`LeasePort`, `Spawn`); both stand in `events`.  A
service has one deadline, kept in its state, and what is said of a process carries its pid.

    state.py             the states, what may follow what, and sets of states that are asked for
    service/snapshot.py  one service at one moment
    service/product.py   what may go together with each state
    service/one_process.py, rolling.py, moves.py   what comes next, with one process and with two
    stack.py             the rules between services: who may start, who follows, who stops first, when all is over
    relations.py, order.py, conditions.py, ending.py   what these rules look at
    pool.py, port_state.py, instance.py   which port a service gets, and which ports an instance has
    handoff.py           what becomes of a bind call
    restart.py           when to restart, and when to give up
    journal/             every event that is told, with its facts
    sd_notify.py, escapes.py, marks.py, …   formats that others made

The daemon carries the effects out (`daemon/service/keeper.py`) and tells the events.
"""
