require("http").createServer().listen(4500)
