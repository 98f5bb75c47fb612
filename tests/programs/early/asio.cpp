// An acceptor is registered with the reactor when it is opened, before it is bound.
#include <boost/asio.hpp>
#include <cstdlib>

using boost::asio::ip::tcp;

int main() {
    boost::asio::io_context context;
    tcp::endpoint place(boost::asio::ip::make_address("127.0.0.1"), std::atoi(std::getenv("PORT")));
    tcp::acceptor acceptor(context);
    acceptor.open(place.protocol());
    acceptor.bind(place);
    acceptor.listen();
    std::function<void()> next = [&] {
        acceptor.async_accept([&](boost::system::error_code error, tcp::socket client) {
            if (!error) boost::asio::write(client, boost::asio::buffer("asio", 4), error);
            next();
        });
    };
    next();
    context.run();
}
