//! Users and passwords in addresses: refused, and never shown.

/// A user or a password is given where only an address is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the address has a user or password before @ (not shown), which a name of a node cannot have: expected HOST:PORT"
)]
pub struct Secret;

/// Checks that an address on the command line or in a file has no user and no password: `redis://:secret@host`,
/// `user:secret@host:port`. Paths of Unix sockets may have any name.
///
/// # Errors
/// It has one; the error does not repeat it.
pub fn check_address(text: &str) -> Result<(), Secret> {
    let is_path = text.starts_with('/');
    if text.contains('@') && !is_path {
        return Err(Secret);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check_address;

    #[test]
    fn addresses_with_passwords_are_refused_and_not_repeated() {
        for text in [
            "redis://:hunter2@host",
            "rediss://user:hunter2@host:6379/0",
            "user:hunter2@host:6379",
            "hunter2@host:6379",
            "127.0.0.1:1=user:hunter2@host:6379",
        ] {
            let error = check_address(text).unwrap_err().to_string();
            assert!(
                !error.contains("hunter2") && !error.contains("user:"),
                "{error}"
            );
        }
        for text in ["host:6379", "redis://host", "[::1]:1", "/run/a@b.sock", ""] {
            check_address(text).unwrap();
        }
    }
}
