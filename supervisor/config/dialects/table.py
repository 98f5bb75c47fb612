"""The keys of other supervisors by the section of ours that they turn up in, and what to write for each.

A name stands here without its case, `_` and `-`: `ExecStart`, `exec_start` and `exec-start` are one.
"""

from supervisor.config.dialects import probes, programs, sections, systemd, writing
from supervisor.config.dialects.writing import Say
from supervisor.config.keys.ending import RESTART_POLICY
from supervisor.config.keys.mappings import ENV_FILE, HTTP, NEED, POOL_OF_SIZE
from supervisor.config.keys.process import LIMITS, LOGGING
from supervisor.config.keys.service import SERVICE
from supervisor.config.keys.stack import STACK
from supervisor.config.keys.start import HEALTHCHECK, READY
from supervisor.config.kinds import Section

Entry = str | Say  # a sentence, or what makes one of the value

_CONTAINERS = "leave it out: it is about containers, and portsup runs programs on this machine"
_OUTPUT = "leave it out: portsup keeps the output, see `portsup logs`; `logging` says how much of it"
_TREE = "leave it out: portsup stops the whole process tree"
_FOREGROUND = "leave it out, and run the program in the foreground: portsup needs to be its parent"
_BOOT = "leave it out: `portsup unit` writes a unit that starts the stack at boot"
_OTHERS = "leave it out: there is nothing like it here"
_WINDOW = "leave it out: it is about the terminal"


def _each(names: str, say: Entry) -> dict[str, Entry]:
    return dict.fromkeys(names.split(), say)


_SERVICE: dict[str, Entry] = {
    "image": programs.image,
    "build": programs.build,
    **_each("ports port expose listen containerport hostport forwardports appport", programs.ports),
    **_each("portrange portsrange portpool poolports poolrange rangeports portrangestart", programs.ports),
    **_each("nice niceness", programs.nice),
    **_each("containerenv remoteenv", sections.environment),
    **_each("remoteuser containeruser", writing.renamed("user")),
    **_each("postcreatecommand oncreatecommand updatecontentcommand", programs.hook("pre_start")),
    "poststartcommand": programs.hook("post_start"),
    "workspacefolder": writing.renamed("working_dir"),
    "resources": sections.resources,
    **_each("terminationgraceperiodseconds", writing.span("", "stop_grace_period")),
    "volumes": "leave it out: programs see the files of this machine; `working_dir` is where they start",
    **_each(
        "containername hostname domainname networkmode networks platform driver privileged capadd capdrop securityopt "
        "shmsize tmpfs pullpolicy labels annotations extrahosts dns dnssearch sysctls init readonly ipc pid devices "
        "isolation runtime usernsmode volumesfrom macaddress storageopt oomkilldisable oomscoreadj cpus cpushares "
        "cpuset cpuquota memreservation memswaplimit attach credentialspec configs secrets gpus cgroupparent "
        "externallinks uts imagepullpolicy portsattributes customizations features workspacemount mounts "
        "overridecommand shutdownaction runargs",
        _CONTAINERS,
    ),
    "tty": "leave it out: services have no terminal",
    "stdinopen": writing.when_true("stdin: open"),
    "deploy": sections.deploy,
    **_each(
        "scale instances numprocs numprocesses numprocsstart numinstances count concurrency formation workers",
        sections.copies,
    ),
    **_each("onconnect ondemand lazy startonconnect startondemand socketactivated", "write `start: on-connect`"),
    **_each("develop watch ignorewatch watchdelay autoreload watchfiles", sections.watch),
    **_each(
        "script program cmd cmds entrypoint args arguments run exec execstart interpreter shell programarguments "
        "startcommand startcmd servecmd servecommand runcommand",
        programs.program,
    ),
    **_each("buildcommand buildcmd installcommand predeploycommand", programs.hook("pre_start")),
    "config": programs.config,
    "network": programs.network,
    **_each("interpreterargs nodeargs", "put them into `command`: `[node, OPTION, SCRIPT]`"),
    **_each("test check", programs.test),
    "availability": sections.availability,
    **_each("http url path httpget", probes.ready_http),
    "healthcheckpath": probes.health_path,
    **_each("host listenaddress bindaddress address", "leave it out: the program chooses its address"),
    **_each("onfailure oncrash onexit", sections.on_failure),
    **_each("readinessprobe", probes.readiness),
    **_each("livenessprobe", probes.liveness),
    "shutdown": sections.shutdown,
    "stop": sections.stop,
    **_each("isdaemon daemonize pidfile isforeground execmode", _FOREGROUND),
    "type": systemd.unit_type,
    **_each("killasgroup stopasgroup treekill", _TREE),
    "killmode": systemd.kill_mode,
    **_each(
        "redirectstderr stdoutlogfile stderrlogfile stdoutlogfilemaxbytes stdoutlogfilebackups stderrlogfilemaxbytes "
        "stderrlogfilebackups errorfile outfile logfile logdateformat mergelogs loglocation logconfiguration loglevel "
        "loglength standardoutput standarderror syslogidentifier combinelogs logtype disableansicolors stdoutstream "
        "stderrstream errorlog outlog stdout stderr output logdir standardoutpath standarderrorpath silent",
        _OUTPUT,
    ),
    **_each("log logs", sections.log),
    **_each("istty mouse scrollback color prefix title tmux", _WINDOW),
    **_each("delay startdelay", "leave it out, and wait for another service: `depends_on: {NAME: ready}`"),
    **_each("triggermode allowparallel resourcetype candie", _OTHERS),
    "autoinit": writing.unless_true("autostart: false"),
    "retry": writing.inside("restart_policy", "max_restarts"),
    "readyoutput": writing.inside("ready", "log"),
    "readycmd": writing.inside("ready", "exec"),
    "readyhttp": probes.ready_http,
    "readyport": "write `ready: {tcp: true}`",
    "readydelay": "leave it out: `ready` asks the service, such as `ready: listening`",
    **_each("cronrestart schedule", sections.CLOCK),
    "cron": sections.cron,
    **_each("auto bootstart", _BOOT),
    **_each("wantedby wants partof bindsto before documentation", _BOOT),
    "priority": "leave it out: `depends_on: [NAME]` gives the order",
    "processname": "leave it out: the key is the name",
    "label": "leave it out: the key is the name",
    "name": "leave it out: the key is the name; `description: …` is for words",
    **_each("exitonend abortonexit exitonskipped", writing.when_true("on_end: stop_all")),
    **_each("exitonfailure", writing.when_true("on_end: {failure: stop_all}")),
    **_each("disabled disable", writing.opposite("autostart")),
    **_each("runatload up enabled", writing.unless_true("autostart: false")),
    **_each("autodeploy plan region branch become async singleton copyenv usesockets checkdelay", _OTHERS),
    "becomeuser": writing.renamed("user"),
    **_each("chdir rootdir", writing.renamed("working_dir")),
    "notificationfd": "leave it out: `ready` asks the service, such as `ready: listening`",
    **_each("timeoutkill gracefultimeout", sections.grace),
    **_each("namespace", writing.listed("profiles")),
    "readylogline": writing.inside("ready", "log"),
    **_each("waitready", writing.when_true("ready: {notify: true}")),
    "listentimeout": writing.milliseconds("ready", "timeout"),
    "minuptime": writing.milliseconds("restart_policy", "period"),
    **_each("startsecs startlimitintervalsec", writing.span("restart_policy", "period")),
    **_each("startretries startlimitburst maxretries", writing.inside("restart_policy", "max_restarts")),
    **_each("restartsec backoffseconds", writing.span("restart_policy", "delay")),
    **_each("restartdelay expbackoffrestartdelay", writing.milliseconds("restart_policy", "delay")),
    "killtimeout": writing.milliseconds("", "stop_grace_period"),
    **_each("stopwaitsecs timeoutstopsec shutdowntimeout", writing.span("", "stop_grace_period")),
    "timeoutstartsec": writing.span("ready", "timeout"),
    **_each("exitcodes successexitstatus successexitcodes", sections.exit_codes),
    **_each("autorestart respawn keepalive", sections.restart),
    **_each("execstartpre", programs.hook("pre_start")),
    **_each("execstartpost", programs.hook("post_start")),
    **_each("execstoppost", programs.hook("post_stop")),
    **_each("pre prestart beforestart setup onstart", programs.hook("pre_start")),
    **_each("poststart afterstart", programs.hook("post_start")),
    **_each("poststop afterstop cleanup onstop teardown", programs.hook("post_stop")),
    "signal": systemd.kill_signal,
    "execstop": systemd.exec_stop,
    "killsignal": systemd.kill_signal,
    "workingdirectory": writing.renamed("working_dir"),
    "environmentfile": systemd.environment_file,
    **_each("environment env envs environments vars variables envvars environmentvariables", sections.environment),
    "watchdogsec": writing.span("", "watchdog"),
    "restart": sections.restart,
    "execreload": "leave it out: `portsup kill -s HUP NAME` sends the signal",
    **_each("limitnofile", writing.inside("limits", "nofile")),
    **_each("limitnproc", writing.inside("limits", "nproc")),
    **_each("after requires waitfor waitson needs dependencies deps links resourcedeps", systemd.units),
    "memory": sections.memory_limit,
    **_each("envproduction envdevelopment envlocal", "put its variables into `environment` or an `env_file`"),
    **_each("dockerfile context target", "leave it out: portsup builds no images"),
}

_CHECK: dict[str, Entry] = {
    "test": programs.test,
    "cmd": programs.test,
    "httpget": probes.http_get,
    "startperiod": probes.start_period,
    "initialdelayseconds": probes.start_period,
    "startinterval": "leave it out: portsup asks often until the service is ready",
    "periodseconds": writing.span("", "interval"),
    "timeoutseconds": writing.span("", "timeout"),
    "failurethreshold": writing.renamed("retries"),
    "successthreshold": "leave it out: one good answer is enough",
    **_each("disable disabled", "leave it out, and `healthcheck` with it"),
    "port": probes.port,
    "every": writing.span("", "interval"),
    **_each("tries attempts", writing.renamed("retries")),
    **_each("type kind protocol", "leave it out: the key `http`, `tcp` or `exec` says how it is asked"),
    **_each("status statuscode expectedstatus expectstatus expect", probes.status),
}

TABLES: tuple[tuple[Section, dict[str, Entry]], ...] = (
    (SERVICE, _SERVICE),
    (
        STACK,
        {
            **_each("stack project app appname projectname stackname namespace title portsup", sections.stack_name),
            **_each("defaults default global globals common base shared settings", sections.for_all),
            "port": "it is for a service: `services: {NAME: {pool: …}}`",
            **_each("description author license schema", "leave it out, or write it as a comment: `# …`"),
            "version": "leave it out: services.yaml has no versions",
            **_each("volumes networks secrets configs", _CONTAINERS),
            "include": "leave it out, and name the files: `portsup -f services.yaml -f OTHER up`, or use `extends`",
            **_each("loglevel loglocation loglength logconfiguration", _OUTPUT),
            **_each("isstrict isorderedshutdown", "leave it out: that is what portsup does"),
            "shell": 'leave it out: a command that needs a shell names it: `command: [sh, -c, "…"]`',
            **_each("environment env envfile vars", sections.for_all),
            **_each(
                "processes procs programs apps service jobs tasks watchers daemons units containers servers",
                sections.services,
            ),
            "run": sections.services_of,
            **_each("proclistwidth proclisttitle mouse scrollback keymapproc keymapterm hidekeymapwindow", _WINDOW),
        },
    ),
    (HEALTHCHECK, _CHECK),
    (READY, {**_CHECK, **_each("interval periodseconds", "leave it out: portsup asks often until it is ready"),
             "retries": "leave it out: `timeout` says how long it may take",
             "failurethreshold": "leave it out: `timeout` says how long it may take"}),
    (ENV_FILE, {"optional": writing.opposite("required")}),
    (POOL_OF_SIZE, _each("to end last max stop high min begin low ports range list start from", programs.range_of)),
    (HTTP, _each("port host scheme", "leave it out: the service is asked on its own port")),
    (LOGGING, {"driver": "leave it out: portsup writes the log files itself", "options": sections.log_options}),
    (RESTART_POLICY, _each("condition policy restart name when type", sections.restart_condition)),
    (LIMITS, {"memory": sections.memory, **_each("cpus pids", _CONTAINERS)}),
    (NEED, {"required": "leave it out: what a service depends on has to start"}),
)  # fmt: skip
