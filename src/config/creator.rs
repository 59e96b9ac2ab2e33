//! Who may create organizations.

use std::str::FromStr;

/// Who may create organizations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Creator {
    Anyone,
    /// The owner of the first organization.
    Owner,
    /// The person with this verified email address.
    Address(String),
    /// Everybody with a verified email address at this host.
    Host(String),
}

impl FromStr for Creator {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match (text, text.split_once('@')) {
            ("anyone", _) => Ok(Self::Anyone),
            ("owner", _) => Ok(Self::Owner),
            (_, Some((_, host))) if host.is_empty() || host.contains('@') => Err(CREATORS),
            (_, Some(("", host))) => Ok(Self::Host(host.to_owned())),
            (address, Some(_)) => Ok(Self::Address(address.to_owned())),
            _ => Err(CREATORS),
        }
    }
}

const CREATORS: &str = "must be anyone, owner, an email address, or @ and a domain";
