#include "api/http/http_server.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <string>

#include "api/http/http_connection.h"
#include "tests/api/http/http_fixture.h"

namespace kvorum::api {
namespace {

using State = HttpBodyPiece::State;

std::string Body(const std::string& answer) {
  const size_t end = answer.find("\r\n\r\n");
  return end == std::string::npos ? "" : answer.substr(end + 4);
}

// Answers with the body, or with "broken".
void EchoWhole(const std::shared_ptr<HttpExchange>& exchange, std::string so_far = "") {
  exchange->ReadBody([exchange, so_far](const HttpBodyPiece& piece) {
    if (piece.state == State::kMore) {
      EchoWhole(exchange, so_far + piece.bytes);
      return;
    }
    HttpReply reply;
    reply.body = piece.state == State::kEnd ? so_far + piece.bytes : "broken";
    exchange->Respond(std::move(reply));
  });
}

// Answers every piece of the body when it comes.
void EchoPieces(const std::shared_ptr<HttpExchange>& exchange) {
  exchange->ReadBody([exchange](const HttpBodyPiece& piece) {
    if (piece.state == State::kBroken) {
      exchange->End();
      return;
    }
    exchange->Write("[" + piece.bytes + "]", [exchange, state = piece.state](bool) {
      state == State::kEnd ? exchange->End() : EchoPieces(exchange);
    });
  });
}

class HttpServerTest : public HttpTest {
 protected:
  HttpServerTest() {
    OnHttpThread([this] {
      router_.Mount("/echo/", [](auto exchange) { EchoWhole(exchange); });
      router_.Mount("/pieces/", [](auto exchange) {
        exchange->StartAnswer(200, {{"Content-Type", "text/plain"}});
        EchoPieces(exchange);
      });
      router_.Mount("/path/", [](auto exchange) {
        HttpReply reply;
        reply.body = exchange->request().path + "?" + exchange->request().query;
        exchange->Respond(std::move(reply));
      });
    });
  }
};

TEST_F(HttpServerTest, ABodyOfKnownLength) {
  const std::string answer = Talk(
      "POST /echo/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
      "Content-Length: 5\r\n\r\nhello");
  EXPECT_EQ(answer.substr(0, 17), "HTTP/1.1 200 OK\r\n");
  EXPECT_NE(answer.find("\r\nContent-Length: 5\r\n"), std::string::npos);
  EXPECT_NE(answer.find("\r\nConnection: close\r\n"), std::string::npos);
  EXPECT_NE(answer.find("\r\nDate: "), std::string::npos);
  EXPECT_EQ(Body(answer), "hello");
}

TEST_F(HttpServerTest, AChunkedBodyThatIsLargerThanAPiece) {
  const std::string large(3 * kHttpBodyPieceBytes + 17, 'x');
  const std::string answer = Talk(
      "POST /echo/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
      "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n30011\r\n" +
      large + "\r\n0\r\n\r\n");
  EXPECT_EQ(Body(answer), "abc" + large);
}

TEST_F(HttpServerTest, PiecesAreAnsweredWhileTheBodyIsStillComing) {
  RawClient client = Connect();
  client.Send("POST /pieces/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
  EXPECT_EQ(Body(client.ReadUntil("[a]\r\n")), "3\r\n[a]\r\n");
  client.Send("2\r\nbc\r\n");
  EXPECT_EQ(client.ReadUntil("[bc]\r\n"), "4\r\n[bc]\r\n");
  client.Send("0\r\n\r\n");
  EXPECT_EQ(client.ReadAll(), "2\r\n[]\r\n0\r\n\r\n");
}

TEST_F(HttpServerTest, Http10GetsTheBytesAsTheyAre) {
  const std::string answer = Talk("POST /pieces/ HTTP/1.0\r\nContent-Length: 2\r\n\r\nab");
  EXPECT_EQ(answer.substr(0, 17), "HTTP/1.0 200 OK\r\n");
  EXPECT_EQ(answer.find("Transfer-Encoding"), std::string::npos);
  EXPECT_EQ(Body(answer), "[ab]");
}

TEST_F(HttpServerTest, AClientThatExpectsItIsToldToContinue) {
  RawClient client = Connect();
  client.Send(
      "POST /echo/ HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(client.ReadUntil("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("hi");
  EXPECT_EQ(Body(client.ReadUntil("hi")), "hi");
}

TEST_F(HttpServerTest, ABodyNobodyReadIsDrainedAndTheConnectionUsedAgain) {
  RawClient client = Connect();
  client.Send("POST /path/a HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" +
              std::string(100000, 'x') + "GET /path/b HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(Body(client.ReadUntil("/path/a?")), "/path/a?");
  EXPECT_EQ(Body(client.ReadUntil("/path/b?")), "/path/b?");
}

TEST_F(HttpServerTest, ABodyTooLargeToDrainEndsTheConnection) {
  const size_t size = 2 * kHttpDrainBytes + 4 * kHttpBodyPieceBytes;
  const std::string answer = Talk(
      "POST /path/a HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n"
      "\r\n" +
      std::string(size, 'x'));
  EXPECT_EQ(Body(answer), "/path/a?");
  EXPECT_NE(answer.find("Connection: close"), std::string::npos);
}

TEST_F(HttpServerTest, AnUnreadBodyThatWasNotAskedForIsNotWaitedFor) {
  const std::string answer =
      Talk("POST /path/a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n");
  EXPECT_EQ(Body(answer), "/path/a?");
}

TEST_F(HttpServerTest, TruncatedAndBrokenBodiesAreTold) {
  RawClient client = Connect();
  client.Send("POST /echo/ HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nhello");
  client.HalfClose();
  EXPECT_EQ(Body(client.ReadAll()), "broken");
  EXPECT_EQ(Body(Talk("POST /echo/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "zz\r\nhello\r\n")),
            "broken");
}

TEST_F(HttpServerTest, PathsAreDecoded) {
  EXPECT_EQ(Body(Talk("GET /path/%41%2fb?c%41 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")),
            "/path/A/b?c%41");
  EXPECT_EQ(Body(Talk("GET http://x:1/path/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")),
            "/path/a?");
}

TEST_F(HttpServerTest, HeadsThatMakeNoSense) {
  EXPECT_EQ(Talk("GET /path/%4 HTTP/1.1\r\nHost: x\r\n\r\n").substr(0, 26),
            "HTTP/1.1 400 Bad Request\r\n");
  EXPECT_EQ(Talk("garbage without any sense\r\n\r\n").substr(0, 26),
            "HTTP/1.1 400 Bad Request\r\n");
  const std::string large = "A: " + std::string(kHttpHeadBytes, 'a');
  EXPECT_EQ(Talk("GET / HTTP/1.1\r\nHost: x\r\n" + large).substr(0, 12), "HTTP/1.1 431");
  EXPECT_EQ(Talk("POST /echo/ HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n").substr(0, 12),
            "HTTP/1.1 400");
}

TEST_F(HttpServerTest, WhatElseAClientExpectsIsRefused) {
  EXPECT_EQ(Talk("POST /echo/ HTTP/1.1\r\nHost: x\r\nExpect: 200-ok\r\n\r\n"),
            "HTTP/1.1 417 Expectation Failed\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
}

TEST_F(HttpServerTest, UncleanPathsAreSentElsewhere) {
  const auto location = [this](const std::string& path) {
    const std::string answer =
        Talk("POST " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    const size_t at = answer.find("Location: ");
    return at == std::string::npos ? "" : answer.substr(at + 10, answer.find("\r\n", at) - at - 10);
  };
  EXPECT_EQ(location("/path//a?b=//"), "/path/a?b=//");
  EXPECT_EQ(location("/path/./b/../a"), "/path/a");
  EXPECT_EQ(location("/../path"), "/path/");
  EXPECT_EQ(location("/path"), "/path/");
  EXPECT_EQ(location("/path/"), "");
  EXPECT_EQ(location("/path/a/"), "");
  EXPECT_EQ(location("/nothing"), "");
  EXPECT_EQ(Body(Talk("GET /path HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")),
            "<a href=\"/path/\">Temporary Redirect</a>.\n\n");
  EXPECT_EQ(location("//%3Cb%3E%0d%0aX:%20%22"), "/%3Cb%3E%0D%0AX:%20%22");
  EXPECT_EQ(Body(Talk("GET //%3Cb%3E?a&'b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")),
            "<a href=\"/%3Cb%3E?a&amp;&#39;b\">Temporary Redirect</a>.\n\n");
}

TEST_F(HttpServerTest, AHandlerIsToldThatItsClientIsGone) {
  std::promise<void> called;
  std::promise<void> gone;
  OnHttpThread([&] {
    router_.Mount("/wait/", [&](std::shared_ptr<HttpExchange> exchange) {
      exchange->OnGone([&gone, exchange] {
        exchange->Respond(HttpReply());
        gone.set_value();
      });
      exchange->ReadBody([&called](const HttpBodyPiece&) { called.set_value(); });
    });
  });
  {
    RawClient client = Connect();
    client.Send("POST /wait/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx");
    called.get_future().wait();
  }
  EXPECT_EQ(gone.get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready);
}

// Writes until the socket takes no more; the client's reading lets it go on.
TEST_F(HttpServerTest, AClientThatDoesNotReadHoldsTheWriterBack) {
  constexpr size_t kPiece = 1 << 20;
  std::atomic<int> written{0};
  std::shared_ptr<HttpExchange> held;
  std::promise<void> begun;
  std::function<void(bool)> go_on = [&](bool ok) {
    if (ok && ++written < 64) {
      held->Write(std::string(kPiece, 'x'), go_on);
    } else {
      std::exchange(held, nullptr)->End();
    }
  };
  OnHttpThread([&] {
    router_.Mount("/flood/", [&](std::shared_ptr<HttpExchange> exchange) {
      held = std::move(exchange);
      held->StartAnswer(200, {});
      held->Write(std::string(kPiece, 'x'), go_on);
      begun.set_value();
    });
  });
  RawClient client = Connect();
  client.Send("GET /flood/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  begun.get_future().wait();
  for (int i = 0; i < 100; ++i) OnHttpThread([] {});  // time to write whatever it can
  EXPECT_LT(written, 8);
  const std::string all = client.ReadAll();
  EXPECT_EQ(written, 64);
  EXPECT_GT(all.size(), 64 * kPiece);
}

TEST_F(HttpServerTest, ClosingFailsAWriteThatTheClientDoesNotTake) {
  std::promise<bool> result;
  OnHttpThread([&] {
    router_.Mount("/large/", [&](std::shared_ptr<HttpExchange> exchange) {
      exchange->StartAnswer(200, {});
      exchange->Write(std::string(64 << 20, 'x'), [&result, exchange](bool ok) {
        result.set_value(ok);
        exchange->End();
      });
    });
  });
  RawClient client = Connect();
  client.Send("GET /large/ HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(client.ReadUntil("OK"), "HTTP/1.1 200 OK");
  OnHttpThread([this] { server_.CloseAll(); });
  EXPECT_FALSE(result.get_future().get());
}

TEST_F(HttpServerTest, EndWhenIdleClosesIdleConnectionsAndAnswersTheOthers) {
  RawClient idle = Connect();
  idle.Send("GET /path/a HTTP/1.1\r\nHost: x\r\n\r\n");
  idle.ReadUntil("/path/a?");
  RawClient busy = Connect();
  busy.Send("POST /pieces/ HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na");
  busy.ReadUntil("[a]\r\n");
  OnHttpThread([this] { server_.EndWhenIdle(); });
  EXPECT_EQ(idle.ReadAll(), "");
  busy.Send("b");
  EXPECT_EQ(busy.ReadAll(), "3\r\n[b]\r\n0\r\n\r\n");
}

}  // namespace
}  // namespace kvorum::api
