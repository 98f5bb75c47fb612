// Stands for any program of node: see recorder.py.
const fs = require("fs"), path = require("path");
const name = path.basename(__filename); // pm2 loads it from a script of its own
const record = (facts) => fs.appendFileSync(process.env.RECORD, JSON.stringify(facts) + "\n");
for (const signal of ["SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP"])
  process.on(signal, () => { record({ stopped: name, by: signal, pid: process.pid }); process.exit(0); });
record({ argv: [name, ...process.argv.slice(2)], pid: process.pid, cwd: fs.realpathSync("."), env: process.env });
if ((process.env.FAILS || "").split(",").includes(name)) process.exit(3);
setInterval(() => {}, 1 << 30);
