// SPDX-License-Identifier: Apache-2.0
#include <istream>
#include <ostream>
#include <termios.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/client.h"
#include "cli/noun.h"
#include "cli/output.h"
#include "cli/verbs.h"

namespace slipway::cli {
namespace {

constexpr const char* kGrants = "/api/3.0/mlflow/users/permissions/";

// Nothing that is typed is shown, as long as this lives.
class Silence {
 public:
  Silence() : is_terminal_(tcgetattr(STDIN_FILENO, &before_) == 0) {
    if (!is_terminal_) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
  }
  ~Silence() {
    if (is_terminal_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;

 private:
  termios before_{};
  bool is_terminal_;
};

// A line of the input, never an argument: those stand in the list of processes and in histories.
std::string read_password(Context& context) {
  const bool asks = context.err_is_terminal && isatty(STDIN_FILENO) == 1;
  if (asks) context.err << "password (12 characters or more): " << std::flush;
  std::string password;
  {
    const Silence silence;
    std::getline(context.in, password);
  }
  if (asks) context.err << "\n";
  if (!password.empty() && password.back() == '\r') password.pop_back();
  if (password.empty()) {
    throw Error(Code::kInvalidArgument, "no password came on standard input",
                "printf '%s\\n' \"$PASSWORD\" | slipway user create ann");
  }
  return password;
}

int done(Context& context, const json::Value& answer, const std::string& said) {
  if (context.json) {
    print_json(context, answer);
  } else {
    context.out << said << "\n";
  }
  return kDone;
}

json::Object grant_of(const Arguments& arguments) {
  return {{"username", *arguments.text("USER")},
          {"resource_type", *arguments.text("KIND")},
          {"resource_id", *arguments.text("THING")}};
}

}  // namespace

int user_list(const Arguments&, Context& context) {
  Client client;
  print_table(context, list_in(client.get(api_path("/users")), "users"),
              {{"USER", "name"}, {"ADMIN", "admin"}, {"SINCE", "created_at"}});
  return kDone;
}

int user_create(const Arguments& arguments, Context& context) {
  Client client;
  const std::string name = *arguments.text("USER");
  const std::string password = read_password(context);
  const json::Value made = client.post(
      api_path("/users"),
      json::Object{{"username", name}, {"password", password}, {"admin", arguments.flag("admin")}});
  const bool admin = text_at(made, "admin") == "true";
  if (admin && !arguments.flag("admin"))
    context.err << "the first account is an administrator: there must be one\n";
  return done(context, made,
              "user `" + name + "` may sign in" + (admin ? ", as an administrator" : ""));
}

int user_password(const Arguments& arguments, Context& context) {
  Client client;
  const std::string name = *arguments.text("USER");
  const std::string password = read_password(context);
  const json::Value answer =
      client.post(api_path("/users/{}/password", {name}), json::Object{{"password", password}});
  return done(context, answer, "user `" + name + "` has another password");
}

int user_admin(const Arguments& arguments, Context& context) {
  Client client;
  const std::string name = *arguments.text("USER");
  const bool admin = !arguments.flag("off");
  const json::Value answer =
      client.post(api_path("/users/{}/admin", {name}), json::Object{{"admin", admin}});
  return done(context, answer,
              "user `" + name + "` is " + (admin ? "an administrator" : "no administrator"));
}

int user_delete(const Arguments& arguments, Context& context) {
  Client client;
  const std::string name = *arguments.text("USER");
  return done(context, client.remove(api_path("/users/{}", {name})),
              "user `" + name + "` is gone, with all tokens and permissions");
}

int user_show(const Arguments& arguments, Context& context) {
  Client client;
  const json::Value grants =
      client.get(std::string(kGrants) + "list", {{"username", *arguments.text("USER")}});
  if (context.json) {
    print_json(context, grants);
    return kDone;
  }
  print_table(context, list_in(grants, "permissions"),
              {{"KIND", "resource_type"},
               {"THING", "resource_pattern"},
               {"PERMISSION", "permission"},
               {"BY", "role_name"}});
  if (text_at(grants, "is_admin") == "true") context.err << "an administrator may do everything\n";
  return kDone;
}

int user_grant(const Arguments& arguments, Context& context) {
  Client client;
  json::Object wanted = grant_of(arguments);
  const std::string permission = *arguments.text("PERMISSION");
  wanted.set("permission", permission);
  const json::Value answer = client.post(std::string(kGrants) + "grant", wanted);
  return done(context, answer,
              "user `" + *arguments.text("USER") + "` has " + permission + " on " +
                  *arguments.text("KIND") + " `" + *arguments.text("THING") + "`");
}

int user_revoke(const Arguments& arguments, Context& context) {
  Client client;
  const json::Value answer = client.post(std::string(kGrants) + "revoke", grant_of(arguments));
  return done(context, answer,
              "user `" + *arguments.text("USER") + "` has no permission of their own on " +
                  *arguments.text("KIND") + " `" + *arguments.text("THING") + "` any more");
}

int token_list(const Arguments& arguments, Context& context) {
  Client client;
  print_table(
      context,
      list_in(client.get(api_path("/tokens"), {{"user", arguments.text_or("user", "")}}), "tokens"),
      {{"TOKEN", "name"}, {"USER", "user"}, {"SINCE", "created_at"}, {"UNTIL", "expires_at"}});
  return kDone;
}

int token_create(const Arguments& arguments, Context& context) {
  Client client;
  const json::Value made =
      client.post(api_path("/tokens"), json::Object{{"name", *arguments.text("NAME")},
                                                    {"user", arguments.text_or("user", "")},
                                                    {"ttl", arguments.text_or("ttl", "")}});
  if (context.json) {
    print_json(context, made);
    return kDone;
  }
  context.out << text_at(made, "token") << "\n";
  context.err << "shown this once; use it as SLIPWAY_TOKEN or MLFLOW_TRACKING_TOKEN\n";
  return kDone;
}

int token_revoke(const Arguments& arguments, Context& context) {
  Client client;
  const std::string name = *arguments.text("NAME");
  const std::string user = *arguments.text("user");
  return done(context, client.remove(api_path("/users/{}/tokens/{}", {user, name})),
              "token `" + name + "` of user `" + user + "` opens nothing any more");
}

int audit_list(const Arguments& arguments, Context& context) {
  Client client;
  Client::Query query{{"actor", arguments.text_or("actor", "")}};
  if (arguments.flag("refused")) query.emplace_back("refused", "true");
  if (const auto limit = arguments.integer("limit", 1, 10'000))
    query.emplace_back("limit", std::to_string(*limit));
  print_table(context, list_in(client.get(api_path("/audit"), query), "audit"),
              {{"AT", "at"},
               {"ACTOR", "actor"},
               {"FROM", "peer"},
               {"STATUS", "status"},
               {"TIMES", "times"},
               {"METHOD", "method"},
               {"ROUTE", "route"},
               {"ABOUT", "resource"}});
  return kDone;
}

}  // namespace slipway::cli
