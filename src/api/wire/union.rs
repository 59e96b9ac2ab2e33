//! Unions of objects with a discriminator.

/// Defines a union of objects with a discriminator, described as a plain `oneOf` without wrapper schemas.
macro_rules! one_of {
    ($(#[$meta:meta])* $name:ident by $key:literal { $($variant:ident($member:ty) = $value:literal $(| $more:literal)*),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, serde::Serialize)]
        #[serde(untagged)]
        pub(in crate::api) enum $name { $($variant(Box<$member>)),+ }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                use serde::de::Error as _;
                let value = serde_json::Value::deserialize(deserializer)?;
                match value.get($key).and_then(serde_json::Value::as_str) {
                    $(Some($value $(| $more)*) => serde_json::from_value(value).map(Self::$variant).map_err(D::Error::custom),)+
                    _ => Err(D::Error::custom(format!("{} must be one of {}", $key, [$($value, $($more,)*)+].join(", ")))),
                }
            }
        }

        $crate::api::wire::described!(
            $name,
            poem_openapi::registry::MetaSchemaRef::Inline(Box::new(poem_openapi::registry::MetaSchema {
                one_of: vec![$(<$member as poem_openapi::types::Type>::schema_ref()),+],
                discriminator: Some(poem_openapi::registry::MetaDiscriminatorObject {
                    property_name: $key,
                    mapping: vec![
                        $(($value, <$member as poem_openapi::types::Type>::name()),
                        $(($more, <$member as poem_openapi::types::Type>::name()),)*)+
                    ]
                    .into_iter()
                    .map(|(value, name)| (value.to_owned(), format!("#/components/schemas/{name}")))
                    .collect(),
                }),
                ..poem_openapi::registry::MetaSchema::ANY
            })),
            |registry| { $(<$member as poem_openapi::types::Type>::register(registry);)+ }
        );
    };
}

pub(in crate::api) use one_of;
