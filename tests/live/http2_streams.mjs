// Asks for /who by HTTP/2 over TLS, ten streams at a time on one connection, until stdin ends; then says how it went.
import fs from "node:fs";
import http2 from "node:http2";
import net from "node:net";
import tls from "node:tls";

const [port, host, root] = process.argv.slice(2);
const told = {connections: 0, protocol: "", ports: [], wrong: []};
const connect = () => tls.connect({
    socket: net.connect(Number(port), "127.0.0.1"), servername: host, ca: fs.readFileSync(root), ALPNProtocols: ["h2"],
});
const session = http2.connect(`https://${host}:${port}`, {createConnection: connect});
session.on("error", (error) => told.wrong.push(String(error)));
session.on("connect", (_, socket) => {
    told.connections += 1;
    told.protocol = socket.alpnProtocol;
    console.log("asks");
});
let isOver = false;
process.stdin.on("end", () => { isOver = true; }).resume();

const ask = (method) => new Promise((resolve) => {
    const body = Buffer.alloc(method === "POST" ? 1000 : 0);
    const stream = session.request({":path": "/who", ":method": method, "content-length": body.length}, {endStream: false});
    let status = 0;
    let text = "";
    stream.on("response", (headers) => { status = headers[":status"]; });
    stream.on("data", (data) => { text += data; });
    stream.on("error", (error) => told.wrong.push(String(error)));
    stream.on("close", () => {
        const by = text.split(" ").at(-1);
        if (status !== 200) told.wrong.push(`${method}: ${status} ${text}`);
        else if (!told.ports.includes(by)) told.ports.push(by);
        resolve();
    });
    stream.end(body);
});
const goOn = async (method) => {
    do await ask(method); while (!isOver || told.ports.length < 2);
    await ask(method);
};
await Promise.all(["GET", "GET", "GET", "GET", "GET", "POST", "POST", "POST", "POST", "POST"].map(goOn));
console.log(JSON.stringify(told));
session.close();
