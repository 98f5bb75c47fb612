require("http").createServer((_, answer) => answer.end("api " + process.env.RACK_ENV)).listen(process.env.PORT, "127.0.0.1");
