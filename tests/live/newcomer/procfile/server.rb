require "socket"
server = TCPServer.new("127.0.0.1", ARGV[ARGV.index("-p") + 1].to_i)
while (client = server.accept)
  client.gets
  text = "#{ARGV[ARGV.index("-e") + 1]} #{ENV["DATABASE_URL"]}"
  client.write "HTTP/1.1 200 OK\r\nContent-Length: #{text.size}\r\nConnection: close\r\n\r\n#{text}"
  client.close
end
