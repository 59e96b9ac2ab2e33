//! Pure: the part of a script that tells the tool where the state is.
//!
//! Usually that is the backend `http`, which knows only the workspace `default`. A workspace whose steps see its name gets the `cloud` block of
//! this server, with operations forced to be local, which is how the workers of HCP Terraform call the tool, too. Terraform before 1.1 does
//! not know `cloud`, and there `terraform.workspace` was `default` in remote runs as well.

use super::shell_words::quoted;
use super::tfvars::text_literal;

/// The backend `http`, which the environment configures.
const HTTP: &str = r#"printf 'terraform {\n  backend "http" {}\n}\n' > windlass_override.tf || fail 1
"#;

/// The `cloud` block. No name server knows its host: the configuration file of the tool says where its API is. That of the user is kept
/// in it, because it may name mirrors of providers, and credentials.
const CLOUD: &str = r#"case $version in
'Terraform v0.'* | 'Terraform v1.0.'*)
@HTTP
;;
*)
printf %s @CLOUD > windlass_override.tf || fail 1
own=$TF_CLI_CONFIG_FILE
case $version in OpenTofu*) [ -n "$own" ] || [ ! -f ~/.tofurc ] || own=~/.tofurc ;; esac
[ -n "$own" ] || own=~/.terraformrc
{
  [ ! -f "$own" ] || cat "$own"
  printf '\nhost "windlass.internal" {\n  services = { "tfe.v2" = "%s/api/v2/" }\n}\n' "$terrakubeApi"
  printf 'credentials "windlass.internal" {\n  token = "%s"\n}\n' "$TF_HTTP_PASSWORD"
} > "$left/windlass.tfrc" || fail 1
export TF_CLI_CONFIG_FILE="$left/windlass.tfrc" TF_FORCE_LOCAL_BACKEND=1
unset TF_CLOUD_HOSTNAME TF_CLOUD_ORGANIZATION TF_CLOUD_PROJECT
;;
esac
"#;

/// A workspace whose name the tool sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenName {
    /// The id of the organization.
    pub organization: String,
    /// The name of the workspace.
    pub workspace: String,
}

/// Writes the file that overrides the backend of the module. `version` is set, and only this user can read what is written.
pub(super) fn backend(seen: Option<&SeenName>) -> String {
    let Some(SeenName { organization, workspace }) = seen else { return HTTP.to_owned() };
    let cloud = format!(
        "terraform {{\n  cloud {{\n    hostname     = \"windlass.internal\"\n    organization = \"{}\"\n    \
         workspaces {{\n      name = \"{}\"\n    }}\n  }}\n}}\n",
        text_literal(organization),
        text_literal(workspace)
    );
    CLOUD.replace("@HTTP\n", HTTP).replace("@CLOUD", &quoted(&cloud))
}

#[cfg(test)]
mod tests {
    use super::{SeenName, backend};

    #[test]
    fn names_are_quoted() {
        let seen = SeenName { organization: "o".into(), workspace: "a'${b}\"".into() };
        let text = backend(Some(&seen));
        assert!(text.contains(r#"name = "a'\''$${b}\""#), "{text}");
        assert!(text.contains("backend \"http\""), "for old versions: {text}");
        assert!(!backend(None).contains("cloud"));
    }
}
