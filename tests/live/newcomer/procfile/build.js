console.log("watching");
process.stdin.on("end", () => process.exit(0)).resume();
setInterval(() => {}, 1000);
