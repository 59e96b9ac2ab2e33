//! Enums of the contract that mirror stored enums.

/// Defines an enum of the contract that mirrors a stored enum, with the conversions in both directions.
macro_rules! mirrored {
    ($(#[$meta:meta])* $name:ident of $stored:ty { $($variant:ident),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, poem_openapi::Enum)]
        #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
        #[oai(rename_all = "SCREAMING_SNAKE_CASE")]
        pub(in crate::api) enum $name { $($variant),+ }

        impl From<$stored> for $name {
            fn from(stored: $stored) -> Self {
                match stored { $(<$stored>::$variant => Self::$variant),+ }
            }
        }

        impl From<$name> for $stored {
            fn from(given: $name) -> Self {
                match given { $($name::$variant => <$stored>::$variant),+ }
            }
        }
    };
}

pub(in crate::api) use mirrored;
