const http = require('http')
http.createServer((_, answer) => answer.end(`${process.pid} ${process.env.NODE_ENV}`)).listen(process.env.PORT || 3000)
