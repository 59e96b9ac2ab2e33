//! Pure: the syntax tree of a filter, and its text form.

use std::fmt;

/// A filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::terrakube) enum Filter {
    /// Conjunction.
    All(Vec<Filter>),
    /// Disjunction.
    Any(Vec<Filter>),
    Is(Comparison),
}

/// One comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::terrakube) struct Comparison {
    /// A field, or a path to one: `workspace.name`.
    pub(in crate::terrakube) selector: String,
    pub(in crate::terrakube) operator: Operator,
    /// One value for most operators.
    pub(in crate::terrakube) values: Vec<String>,
}

/// How a field is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::terrakube) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
    /// As `In`, ignoring case.
    InFolded,
    NotInFolded,
    IsNull,
    /// Whether a to-many relationship leads to nothing.
    IsEmpty,
    /// Whether a to-many relationship leads to a resource with this value.
    HasMember,
    HasNoMember,
    Between,
    NotBetween,
}

/// All operators with their spellings; the first spelling is canonical.
pub(super) const OPERATORS: [(&str, Operator); 20] = [
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("=lt=", Operator::Less),
    ("=le=", Operator::LessOrEqual),
    ("=gt=", Operator::Greater),
    ("=ge=", Operator::GreaterOrEqual),
    ("=in=", Operator::In),
    ("=out=", Operator::NotIn),
    ("=ini=", Operator::InFolded),
    ("=outi=", Operator::NotInFolded),
    ("=isnull=", Operator::IsNull),
    ("=isempty=", Operator::IsEmpty),
    ("=hasmember=", Operator::HasMember),
    ("=hasnomember=", Operator::HasNoMember),
    ("=between=", Operator::Between),
    ("=notbetween=", Operator::NotBetween),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

/// The text form, which parses to the same filter.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |f: &mut fmt::Formatter<'_>, parts: &[Filter], sign: &str| {
            for (number, part) in parts.iter().enumerate() {
                f.write_str(if number == 0 { "" } else { sign })?;
                match part {
                    Filter::Is(one) => write!(f, "{one}")?,
                    group => write!(f, "({group})")?,
                }
            }
            Ok(())
        };
        match self {
            Self::All(parts) => joined(f, parts, ";"),
            Self::Any(parts) => joined(f, parts, ","),
            Self::Is(one) => write!(f, "{one}"),
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let written = OPERATORS.iter().find(|(_, operator)| *operator == self.operator).map_or("==", |(text, _)| *text);
        let quoted = |value: &String| format!("'{}'", value.replace('\\', "\\\\").replace('\'', "\\'"));
        let values: Vec<String> = self.values.iter().map(quoted).collect();
        let one = values.len() == 1 && !matches!(self.operator, Operator::In | Operator::NotIn);
        match values.as_slice() {
            [only] if one => write!(f, "{}{written}{only}", self.selector),
            all => write!(f, "{}{written}({})", self.selector, all.join(",")),
        }
    }
}
