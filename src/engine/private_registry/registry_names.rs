//! Pure: the parts of addresses of modules and providers, as Terraform and OpenTofu accept them. An error completes a sentence that begins
//! with the name of the field.

/// The longest parts, in characters.
const NAME: usize = 64;
const SYSTEM: usize = 64;
const HOSTNAME: usize = 253;
const PREFIX: usize = 256;

fn is_name(text: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    text.len() <= NAME && text.bytes().all(inside) && edge(text.bytes().next()) && edge(text.bytes().last())
}

/// Checks the name of a module.
///
/// # Errors
/// What is allowed.
pub fn check_module_name(text: &str) -> Result<(), &'static str> {
    let allowed = "must have at most 64 letters, digits, - and _, and begin and end with a letter or a digit";
    if is_name(text) { Ok(()) } else { Err(allowed) }
}

/// Checks the system that a module is for.
///
/// # Errors
/// What is allowed.
pub fn check_system(text: &str) -> Result<(), &'static str> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let fits = !text.is_empty() && text.len() <= SYSTEM && text.bytes().all(plain);
    if fits { Ok(()) } else { Err("must have at most 64 lowercase letters and digits, such as aws") }
}

/// Checks the name of a provider.
///
/// # Errors
/// What is allowed.
pub fn check_provider_name(text: &str) -> Result<(), &'static str> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let fits = is_name(text) && text.bytes().all(plain) && !text.contains("--") && !text.starts_with("terraform-");
    let allowed = "must have at most 64 lowercase letters, digits and single -, begin and end with a letter or a digit, and not \
         begin with terraform-";
    if fits { Ok(()) } else { Err(allowed) }
}

/// Checks the namespace of a provider in another registry.
///
/// # Errors
/// What is allowed.
pub fn check_namespace(text: &str) -> Result<(), &'static str> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
    let fits = is_name(text) && text.bytes().all(plain);
    if fits { Ok(()) } else { Err("must have at most 64 lowercase letters, digits, - and _") }
}

/// Checks the name of another registry: a host, with a port if it has one.
///
/// # Errors
/// What is allowed.
pub fn check_hostname(text: &str) -> Result<(), &'static str> {
    let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let label = |label: &str| !label.is_empty() && label.bytes().all(plain);
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|number| number.to_string() == port);
    let fits = text.len() <= HOSTNAME && host.split('.').all(label) && port.is_none_or(is_port);
    if fits { Ok(()) } else { Err("must be the name of a host in lowercase, such as registry.terraform.io") }
}

/// Checks what the tags of a module have before the version.
///
/// # Errors
/// What is allowed.
pub fn check_tag_prefix(text: &str) -> Result<(), &'static str> {
    let refused = |letter: char| letter.is_control() || " ~^:?*[\\".contains(letter);
    let fits = text.len() <= PREFIX && !text.contains(refused);
    if fits { Ok(()) } else { Err("must have at most 256 characters that a tag may have, such as vpc/") }
}

/// Checks the URL of a repository.
///
/// # Errors
/// What is allowed.
pub fn check_source(text: &str) -> Result<(), &'static str> {
    let known = ["https://", "http://", "ssh://", "git@", "file://"];
    let is_url = text.len() <= 2048 && known.iter().any(|scheme| text.starts_with(scheme));
    if is_url {
        Ok(())
    } else {
        Err("must be the URL of a repository and begin with https://, http://, ssh:// or git@")
    }
}

/// Checks the folder of a module in its repository.
///
/// # Errors
/// What is allowed.
pub fn check_subfolder(text: &str) -> Result<(), &'static str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let part = |part: &str| part != ".." && part.bytes().all(plain);
    let fits = text.len() <= 1024 && text.split('/').all(part);
    if fits {
        Ok(())
    } else {
        Err("must be a path inside the repository of letters, digits, -, _, . and /, without ..")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_addresses() {
        assert!(["vpc", "VPC_1", "a-b", "a"].iter().all(|name| check_module_name(name).is_ok()));
        assert!(
            ["", "-a", "a-", "a b", "a/b", "ä", &"a".repeat(65)].iter().all(|name| check_module_name(name).is_err())
        );
        assert!(["aws", "null2"].iter().all(|name| check_system(name).is_ok()));
        assert!(["", "AWS", "a-b"].iter().all(|name| check_system(name).is_err()));
        assert!(["aws", "google-beta"].iter().all(|name| check_provider_name(name).is_ok()));
        assert!(["", "AWS", "a_b", "a--b", "terraform-x"].iter().all(|name| check_provider_name(name).is_err()));
        let hosts = ["registry.terraform.io", "localhost:8443", "127.0.0.1:80"];
        assert!(hosts.iter().all(|name| check_hostname(name).is_ok()));
        assert!(["", "a..b", "A.b", "a:b", "a:080", "a/b", "a:1:2"].iter().all(|name| check_hostname(name).is_err()));
        assert!(["", "vpc/", "modules-x-"].iter().all(|name| check_tag_prefix(name).is_ok()));
        assert!(["a b", "a:b", "a\nb"].iter().all(|name| check_tag_prefix(name).is_err()));
        assert!(["", "/", "modules/vpc", "/a.b/c_d/"].iter().all(|name| check_subfolder(name).is_ok()));
        assert!(["..", "a/../b", "a b", "a?b"].iter().all(|name| check_subfolder(name).is_err()));
    }
}
