const http = require('http')
const asked = () => fetch(process.env.API_URL).then((answer) => answer.text())
http.createServer(async (_, answer) => answer.end(`api says ${await asked()}`)).listen(process.env.PORT)
