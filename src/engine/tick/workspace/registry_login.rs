//! The credential with which a step reads the private registry of its organization: that of its state, for the name of this server.

use crate::runner::StepFile;
use crate::secret::Secret;

/// The variable that names the configuration file of the program.
const CONFIGURATION: &str = "TF_CLI_CONFIG_FILE";

/// A variable for a server without a port, or a configuration file, because no variable can name a port. The settings of the workspace take
/// precedence.
#[derive(Default)]
pub(super) struct RegistryLogin {
    pub(super) variable: Option<(String, Secret<String>)>,
    pub(super) file: Option<StepFile>,
}

/// The credential for the server at this public address. Programs look for registries by HTTPS only.
pub(super) fn login(public_url: &str, token: &Secret<String>, own: &[(String, Secret<String>)]) -> RegistryLogin {
    let Some(host) = public_url.strip_prefix("https://") else { return RegistryLogin::default() };
    let host = host.split('/').next().unwrap_or_default().to_ascii_lowercase();
    let host = host.strip_suffix(":443").unwrap_or(&host);
    let is_set = |name: &str| own.iter().any(|(key, _)| key == name);
    if !host.contains(':') {
        let name = format!("TF_TOKEN_{}", host.replace('-', "__").replace('.', "_"));
        let variable = (!is_set(&name)).then(|| (name, token.clone()));
        return RegistryLogin { variable, file: None };
    }
    if is_set(CONFIGURATION) {
        return RegistryLogin::default();
    }
    let text = format!("credentials \"{host}\" {{\n  token = \"{}\"\n}}\n", token.expose());
    let file = StepFile {
        variables: vec![CONFIGURATION.to_owned()],
        path: "/windlass/registry.tfrc".to_owned(),
        content: Secret::new(text),
    };
    RegistryLogin { variable: None, file: Some(file) }
}

#[cfg(test)]
mod tests {
    use super::login;
    use crate::secret::Secret;

    #[test]
    fn a_host_without_a_port_is_a_variable() {
        let token = Secret::new("t0ken".to_owned());
        let found = login("https://windlass-eu.example.com/", &token, &[]);
        let (name, value) = found.variable.unwrap();
        assert_eq!((name.as_str(), value.expose().as_str()), ("TF_TOKEN_windlass__eu_example_com", "t0ken"));
        assert!(found.file.is_none());
        let own = [(name, Secret::new("mine".to_owned()))];
        assert!(login("https://windlass-eu.example.com:443", &token, &own).variable.is_none());
        let found = login("https://127.0.0.1:8443", &token, &[]);
        assert!(found.variable.is_none());
        let file = found.file.unwrap();
        assert_eq!(file.content.expose(), "credentials \"127.0.0.1:8443\" {\n  token = \"t0ken\"\n}\n");
        let own = [("TF_CLI_CONFIG_FILE".to_owned(), Secret::new("/etc/mine".to_owned()))];
        assert!(login("https://127.0.0.1:8443", &token, &own).file.is_none());
        assert!(login("http://127.0.0.1:8080", &token, &[]).file.is_none());
    }
}
