//! Pure: values of variables that are expressions of Terraform.

use hcl_edit::parser::parse_body;
use hcl_edit::structure::Structure;

/// What stands before a value when it is read.
const BEFORE: &str = "v = ";

/// Checks that a value of the variable `key` is one expression, as a line of a file of values needs it. Whether it can be evaluated is
/// not checked.
///
/// # Errors
/// What is wrong, with the place of the fault, and never with the value, which may be sensitive.
pub fn check_hcl(key: &str, value: &str) -> Result<(), String> {
    let text = format!("{BEFORE}{}\n", value.replace("\r\n", "\n"));
    let place = match parse_body(&text) {
        Ok(body) => match (body.iter().next(), body.len()) {
            (Some(Structure::Attribute(_)), 1) => return Ok(()),
            _ => "more follows it".to_owned(),
        },
        Err(error) => {
            let (line, column) = (error.location().line(), error.location().column());
            let before = if line == 1 { BEFORE.len() } else { 0 };
            format!("line {line}, column {}", column.saturating_sub(before).max(1))
        }
    };
    Err(format!("the value of the variable {key} is no expression of HCL ({place})"))
}

#[cfg(test)]
mod tests {
    use super::check_hcl;

    #[test]
    fn expressions() {
        for value in [
            "1",
            "-1.5e+06",
            "null",
            "[\"a\", 2, true,]",
            "[\r\n  1,\r\n  2\r\n]\r\n",
            "{ a = 1, b : [] }",
            "{\n  # why\n  a = 1\n  \"b c\" = <<EOT\ntext\nEOT\n}",
            "<<-EOT\n  text\n  EOT",
            "\"$${x} \\u00e4 %{ if true }a%{ endif }\" # a remark",
            "{\"a\":{\"b\":[1,{\"c\":null}]}}",
        ] {
            assert_eq!(check_hcl("l", value), Ok(()), "{value}");
        }
    }

    #[test]
    fn what_is_no_expression() {
        for value in ["", "[\"a\",", "{ a = 1", "\"a", "[1 2]", "1\nother = 2", "\n1", "<<EOT\ntext", "# a remark", "]"]
        {
            let refused = check_hcl("l", value).unwrap_err();
            assert!(refused.starts_with("the value of the variable l is no expression of HCL ("), "{value}: {refused}");
        }
        assert!(check_hcl("l", &"[".repeat(100_000)).is_err());
    }
}
