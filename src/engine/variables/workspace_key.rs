//! Pure: which keys the variables of workspaces may have.

use crate::runner::terraform::tfvars;

/// Checks the key of a variable of this category.
///
/// # Errors
/// What is allowed.
pub fn check_workspace_key(category: &str, key: &str) -> Result<(), &'static str> {
    if category == "ENV" {
        let is_valid = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'=');
        return is_valid.then_some(()).ok_or("of category ENV must consist of visible ASCII characters except =");
    }
    let text = "of category TERRAFORM must consist of letters, digits, underscores and hyphens, and must begin with a letter or an underscore";
    tfvars::is_name(key).then_some(()).ok_or(text)
}

#[cfg(test)]
mod tests {
    use super::check_workspace_key;

    #[test]
    fn keys_by_category() {
        for (key, terraform, environment) in [
            ("region", true, true),
            ("_a-1", true, true),
            ("npm_config_//registry:_auth", false, true),
            ("1a", false, true),
            ("bad key", false, false),
            ("a=b", false, false),
            ("", false, false),
            ("\u{e4}", false, false),
            ("a\n", false, false),
        ] {
            assert_eq!(check_workspace_key("TERRAFORM", key).is_ok(), terraform, "{key:?}");
            assert_eq!(check_workspace_key("ENV", key).is_ok(), environment, "{key:?}");
        }
    }
}
