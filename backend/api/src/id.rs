//! Identifiers: a prefix that tells the kind, and a UUIDv7, so that ids sort by the time they were made.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

/// A text that is not an id of the expected kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an id of the form {prefix}_<32 hexadecimal digits>")]
pub struct IdError {
    text: String,
    prefix: &'static str,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// The id that nothing has.
            pub const NOBODY: Self = Self(Uuid::nil());

            /// The id that carries this UUID; new ones are made by the store, from a UUIDv7.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// When the id was made, as it tells itself. It may come from elsewhere and tell anything.
            pub fn made_at(&self) -> Option<DateTime<Utc>> {
                let (seconds, nanos) = self.0.get_timestamp()?.to_unix();
                DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanos)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{}"), self.0.simple())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                text.strip_prefix(concat!($prefix, "_"))
                    .filter(|digits| digits.len() == 32)
                    .and_then(|digits| Uuid::try_parse(digits).ok())
                    .map(Self)
                    .ok_or_else(|| IdError { text: text.chars().take(80).collect(), prefix: $prefix })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                String::schema()
            }
        }

        impl utoipa::ToSchema for $name {}
    )*};
}

ids! {
    /// An installed app.
    AppId = "app";
    /// One durable run on an app.
    OperationId = "op";
    /// An immutable version of an app.
    ReleaseId = "rel";
    /// A login session.
    SessionId = "ses";
    /// An API token.
    TokenId = "tok";
    /// A user.
    UserId = "usr";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_text() {
        let id = AppId::from_uuid(Uuid::from_u128(7));
        assert_eq!(id.to_string(), "app_00000000000000000000000000000007");
        assert_eq!(id.to_string().parse::<AppId>(), Ok(id));
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let operation = OperationId::from_uuid(Uuid::from_u128(7)).to_string();
        assert!(operation.parse::<AppId>().is_err());
        assert!("app_7".parse::<AppId>().is_err());
        assert!(
            "app_zz000000000000000000000000000007"
                .parse::<AppId>()
                .is_err()
        );
    }
}
