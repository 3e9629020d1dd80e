-- Who may use this server. A store without accounts is open on its own machine.
CREATE TABLE account (
  id INTEGER PRIMARY KEY,
  username TEXT NOT NULL UNIQUE,
  password_hash TEXT NOT NULL,
  is_admin BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);

-- Secrets that act for an account; only their SHA-256 is kept.
CREATE TABLE api_token (
  id INTEGER PRIMARY KEY,
  account BIGINT NOT NULL,
  name TEXT NOT NULL,
  token_sha256 TEXT NOT NULL UNIQUE,
  created_at BIGINT NOT NULL,
  expires_at BIGINT,
  UNIQUE (account, name)
);

-- A set of grants that accounts share. `account` is set where the role is the grants of one account alone.
CREATE TABLE role (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  description TEXT,
  account BIGINT UNIQUE
);

CREATE TABLE role_member (
  id INTEGER PRIMARY KEY,
  account BIGINT NOT NULL,
  role BIGINT NOT NULL,
  UNIQUE (account, role)
);
CREATE INDEX role_member_by_role ON role_member (role);

-- permission: -1 DENY, 0 NO_PERMISSIONS, 1 READ, 2 USE, 3 EDIT, 4 MANAGE. A pattern is one thing's id or name, or '*'.
CREATE TABLE role_grant (
  id INTEGER PRIMARY KEY,
  role BIGINT NOT NULL,
  resource_type TEXT NOT NULL,
  resource_pattern TEXT NOT NULL,
  permission BIGINT NOT NULL,
  UNIQUE (role, resource_type, resource_pattern)
);
CREATE INDEX role_grant_by_resource ON role_grant (resource_type, resource_pattern);

-- Who changed what and who was refused. `times` is more than 1 where refusals of one kind were counted together.
CREATE TABLE audit (
  seq INTEGER PRIMARY KEY,
  at BIGINT NOT NULL,
  actor TEXT NOT NULL,
  peer TEXT NOT NULL,
  method TEXT NOT NULL,
  route TEXT NOT NULL,
  resource TEXT NOT NULL,
  status BIGINT NOT NULL,
  times BIGINT NOT NULL
);
CREATE INDEX audit_by_actor ON audit (actor, seq);
