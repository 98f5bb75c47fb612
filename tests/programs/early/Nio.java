import java.net.*;
import java.nio.ByteBuffer;
import java.nio.channels.*;

/** A selector knows the channel before it is bound. */
public class Nio {
    public static void main(String[] words) throws Exception {
        Selector selector = Selector.open();
        ServerSocketChannel server = ServerSocketChannel.open();
        server.configureBlocking(false);
        server.register(selector, SelectionKey.OP_ACCEPT);
        selector.selectNow();
        server.bind(new InetSocketAddress("127.0.0.1", Integer.parseInt(System.getenv("PORT"))));
        while (true) {
            selector.select();
            selector.selectedKeys().clear();
            SocketChannel client = server.accept();
            if (client != null) {
                client.write(ByteBuffer.wrap("nio".getBytes()));
                client.close();
            }
        }
    }
}
