// SPDX-License-Identifier: Apache-2.0
#include "monitoring/delivery.h"

#include <gtest/gtest.h>

#include "monitoring/webhook.h"
#include "registry/testing.h"

namespace slipway::monitoring {
namespace {

class DeliveryTest : public registry::RegistryWorld {
 protected:
  void SetUp() override {
    client_.answer = [this](const net::HttpRequest&) {
      net::HttpResponse response;
      response.status = status_;
      return response;
    };
    write_void([](storage::Transaction& tx) {
      put_webhook(tx, "ops", json::parse(R"({"url": "http://127.0.0.1:9/alarm"})"));
    });
  }
  void enqueue(const std::string& webhook = "ops") {
    write_void([&](storage::Transaction& tx) {
      enqueue_delivery(tx, clock_, webhook, json::Object{{"alarm", "A1"}});
    });
  }
  Delivery newest(const std::string& webhook = "ops") {
    return read<Delivery>(
        [&](storage::Session& session) { return list_deliveries(session, webhook, 1).at(0); });
  }

  int status_ = 200;
  net::FakeHttpClient client_;
  DeliveryWorker worker_{database_, clock_, client_};
};

TEST_F(DeliveryTest, PostsTheBodyOnce) {
  EXPECT_FALSE(worker_.work_once());
  enqueue();
  EXPECT_TRUE(worker_.work_once());
  EXPECT_FALSE(worker_.work_once());
  ASSERT_EQ(client_.asked.size(), 1U);
  EXPECT_EQ(client_.asked[0].method, "POST");
  EXPECT_EQ(client_.asked[0].body, R"({"alarm":"A1"})");
  EXPECT_EQ(newest().state, "delivered");
}

TEST_F(DeliveryTest, TriesAgainWithGrowingPausesAndThenGivesUp) {
  status_ = 503;
  enqueue();
  TimeUs wait = kDeliveryBackoffFirst;
  for (int i = 1; i < kDeliveryAttemptsMax; ++i) {
    EXPECT_TRUE(worker_.work_once());
    EXPECT_EQ(newest().state, "waiting");
    EXPECT_FALSE(worker_.work_once());
    clock_.advance(wait - 1);
    EXPECT_FALSE(worker_.work_once());
    clock_.advance(1);
    wait *= 2;
  }
  EXPECT_TRUE(worker_.work_once());
  EXPECT_EQ(newest().state, "failed");
  EXPECT_EQ(newest().attempts, kDeliveryAttemptsMax);
  EXPECT_EQ(newest().last_error, "the webhook answered 503");
  clock_.advance(kMicrosPerDay);
  EXPECT_FALSE(worker_.work_once());
}

TEST_F(DeliveryTest, ARefusalIsFinal) {
  status_ = 404;
  enqueue();
  EXPECT_TRUE(worker_.work_once());
  EXPECT_EQ(newest().state, "failed");
}

TEST_F(DeliveryTest, ABrokenNetworkIsTriedAgain) {
  net::FaultyHttpClient broken(client_);
  broken.fault = [](const net::HttpRequest&) {
    return std::optional<Error>(Error(Code::kUnavailable, "nobody listens"));
  };
  enqueue();
  DeliveryWorker worker(database_, clock_, broken);
  EXPECT_TRUE(worker.work_once());
  EXPECT_EQ(newest().state, "waiting");
  EXPECT_EQ(newest().last_error, "webhook: nobody listens");
}

TEST_F(DeliveryTest, WithoutSuchAWebhookItFailsAtOnce) {
  enqueue("nobody");
  EXPECT_EQ(newest("nobody").state, "failed");
  EXPECT_EQ(newest("nobody").last_error, "there is no webhook `nobody`");
  EXPECT_FALSE(worker_.work_once());
}

TEST_F(DeliveryTest, OnlySoManyWait) {
  write_void([&](storage::Transaction& tx) {
    for (std::int64_t i = 0; i <= kDeliveriesWaitingMax; ++i) {
      enqueue_delivery(tx, clock_, "ops", json::Object{{"i", i}});
    }
  });
  const auto all = read<std::vector<Delivery>>([](storage::Session& session) {
    return list_deliveries(session, "ops", kDeliveriesWaitingMax + 1);
  });
  EXPECT_EQ(all.back().state, "failed");
  EXPECT_EQ(all.back().last_error, "gave way to newer ones");
  EXPECT_EQ(all[all.size() - 2].state, "waiting");
}

TEST_F(DeliveryTest, SpecsAndDeletionAreChecked) {
  EXPECT_EQ(refusal([](storage::Transaction& tx) { put_webhook(tx, "x", json::parse("{}")); }),
            "invalid_argument: Webhook spec: `url` is missing");
  EXPECT_EQ(refusal([](storage::Transaction& tx) {
              put_webhook(tx, "x", json::parse(R"({"url": "ftp://x"})"));
            }),
            "invalid_argument: Webhook spec: `url` must begin with http:// or https://");
  EXPECT_EQ(refusal([](storage::Transaction& tx) {
              put_webhook(tx, "x", json::Object{{"url", "http://" + std::string(2'042, 'x')}});
            }),
            "invalid_argument: Webhook spec: `url` is longer than 2048 bytes");
  EXPECT_EQ(refusal([](storage::Transaction& tx) { delete_webhook(tx, "x"); }),
            "not_found: there is no webhook `x`");
}

}  // namespace
}  // namespace slipway::monitoring
