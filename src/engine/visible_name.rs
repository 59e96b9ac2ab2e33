//! Pure: which names of workspaces the tool can see as `terraform.workspace`.

/// Whether the tool accepts the name of a workspace.
#[must_use]
pub fn is_visible(name: &str) -> bool {
    !name.is_empty() && name != "default" && !name.contains(|letter: char| letter == '/' || letter.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::is_visible;

    #[test]
    fn names_that_the_tool_refuses() {
        assert!(["prod-eu", "a.b", "ä"].into_iter().all(is_visible));
        assert!(!["", "default", "a b", "a/b", "a\tb"].into_iter().any(is_visible));
    }
}
