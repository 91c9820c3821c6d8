//! Client users, and the proxy's own credentials for nodes.
//!
//! Pure. Never shows a secret: no type prints one, and clients' passwords are kept as digests only.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::resp::{Protocol, request};

/// The user of a client that gives only a password, or no credentials.
pub const DEFAULT_USER: &str = "default";

/// A text that must not be shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides `text`.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for its recipient only.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// The credentials that the proxy sends first on each connection to a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeAuth {
    /// The node's user `default` without it.
    pub username: Option<String>,
    /// That user's password.
    pub password: Secret,
}

/// The handshake with a node, each request with its name: credentials, if any, and the protocol.
pub(crate) fn requests(
    protocol: Protocol,
    auth: Option<&NodeAuth>,
) -> Vec<(&'static str, Vec<u8>)> {
    let mut requests = Vec::new();
    if let Some(auth) = auth {
        let password = auth.password.reveal();
        let said = match &auth.username {
            Some(name) => request(&["AUTH", name, password]),
            None => request(&["AUTH", password]),
        };
        requests.push(("authentication", said));
    }
    if protocol == Protocol::Resp3 {
        requests.push(("HELLO 3", request(&["HELLO", "3"])));
    }
    requests
}

type Sha256Digest = [u8; 32];

/// Client users. Without any, clients need no login.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Users(Vec<(Vec<u8>, Sha256Digest)>);

impl Users {
    /// These users with their passwords.
    pub fn new<'a>(users: impl IntoIterator<Item = (&'a str, &'a Secret)>) -> Self {
        let user = |(name, password): (&str, &Secret)| {
            (
                name.as_bytes().to_vec(),
                Sha256::digest(password.reveal()).into(),
            )
        };
        Self(users.into_iter().map(user).collect())
    }

    /// Whether clients need not authenticate.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a user has this password. Without users, the default user has any password.
    #[must_use]
    pub fn know(&self, name: &[u8], password: &[u8]) -> bool {
        if self.is_open() {
            return name == DEFAULT_USER.as_bytes();
        }
        // How far two digests agree reveals nothing about the passwords. All users are compared, whatever the name.
        let given: Sha256Digest = Sha256::digest(password).into();
        self.0.iter().fold(false, |known, (user, digest)| {
            known | ((user.as_slice() == name) & (*digest == given))
        })
    }
}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Users({})", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::{NodeAuth, Secret, Users};

    #[test]
    fn a_user_needs_name_and_password() {
        let users = Users::new([
            ("default", &Secret::new("s3cret")),
            ("app", &Secret::new("other")),
        ]);
        let known = |name: &str, password: &str| users.know(name.as_bytes(), password.as_bytes());
        assert!(known("default", "s3cret") && known("app", "other"));
        for (name, password) in [
            ("default", "other"),
            ("app", "s3cret"),
            ("App", "other"),
            ("app", "othe"),
            ("app", "other "),
            ("app", ""),
            ("", "other"),
        ] {
            assert!(!known(name, password), "{name} {password}");
        }
    }

    #[test]
    fn without_users_only_the_default_user_exists() {
        let users = Users::default();
        assert!(users.is_open() && users.know(b"default", b"any"));
        assert!(!users.know(b"app", b"any"));
    }

    #[test]
    fn nothing_prints_a_secret() {
        let password = Secret::new("s3cret");
        let users = Users::new([("app", &password)]);
        let auth = NodeAuth {
            username: Some("proxy".into()),
            password,
        };
        let shown = format!("{users:?} {auth:?}");
        assert_eq!(
            shown,
            r#"Users(1) NodeAuth { username: Some("proxy"), password: (hidden) }"#
        );
    }
}
