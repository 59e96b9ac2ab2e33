//! A value that no log, error or Debug output shows, and that is wiped from memory when it is dropped.

use zeroize::Zeroize;

/// A value that no log, error or Debug output shows, and that is wiped from memory when it is dropped.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Wraps a value.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> std::fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use zeroize::Zeroize;

    use super::Secret;

    static WIPED: AtomicUsize = AtomicUsize::new(0);

    #[derive(Clone)]
    struct Key;

    impl Zeroize for Key {
        fn zeroize(&mut self) {
            WIPED.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn every_copy_is_wiped() {
        let secret = Secret::new(Key);
        drop(secret.clone());
        assert_eq!(WIPED.load(Ordering::Relaxed), 1);
        drop(secret);
        assert_eq!(WIPED.load(Ordering::Relaxed), 2);
    }
}
