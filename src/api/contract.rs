//! Serves the contract, and a reference page for it.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use poem::http::header;
use poem::web::Html;
use poem::{IntoResponse as _, Response, handler};
use poem_openapi::OpenApiService;
use sha2::Digest as _;

use crate::error::Error;

/// The API contract, as served.
pub const CONTRACT: &str = include_str!("../../api-spec/openapi.yaml");

#[handler]
pub(super) fn contract_yaml() -> Response {
    Response::builder().content_type("application/yaml; charset=utf-8").body(CONTRACT)
}

#[handler]
pub(super) fn contract_json() -> poem::Result<Response> {
    let contract = contract_as_json().map_err(Error::internal)?;
    Ok(Response::builder().content_type("application/json").body(contract))
}

fn contract_as_json() -> Result<String, serde_saphyr::Error> {
    let contract: serde_json::Value = serde_saphyr::from_str(CONTRACT)?;
    Ok(contract.to_string())
}

/// The API reference: a single page that loads no external resources, and runs no other scripts than its own.
#[handler]
pub(super) fn reference() -> poem::Result<Response> {
    let (page, policy) = REFERENCE.as_ref().map_err(|error| Error::internal(error.clone()))?;
    Ok(Html(page.as_str()).with_header(header::CONTENT_SECURITY_POLICY, policy.as_str()).into_response())
}

/// The reference page, and what it may do.
static REFERENCE: LazyLock<Result<(String, String), String>> = LazyLock::new(|| {
    let contract = contract_as_json().map_err(|error| error.to_string())?;
    let page = OpenApiService::new((), "Windlass", env!("CARGO_PKG_VERSION")).swagger_ui_html();
    let page = with_contract(&page, &contract);
    let policy = policy(&page);
    Ok((page, policy))
});

/// The policy of a page: its own scripts by their hashes, its styles, and calls of this server.
fn policy(page: &str) -> String {
    let (mut scripts, mut rest) = (String::new(), page);
    // A script may contain the beginning of such a tag as text, but not its end.
    while let Some((script, after)) = first_script(rest) {
        scripts.push_str(&format!(" 'sha256-{}'", STANDARD.encode(sha2::Sha256::digest(script))));
        rest = after;
    }
    format!(
        "default-src 'none'; script-src{scripts}; style-src 'unsafe-inline'; img-src 'self' data:; font-src data:; \
         connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

/// The content of the first script of a page, and the page after it.
fn first_script(page: &str) -> Option<(&str, &str)> {
    let (_, tag) = page.split_once("<script")?;
    let (_, content) = tag.split_once('>')?;
    content.split_once("</script>")
}

/// Replaces the generated description in the page with the contract.
fn with_contract(page: &str, contract: &str) -> String {
    const BEGIN: &str = "let spec = ";
    const END: &str = ";\n    let oauth2RedirectUrl;";
    let safe = contract.replace("</", "<\\/");
    match page.split_once(BEGIN).and_then(|(head, rest)| Some((head, rest.split_once(END)?.1))) {
        Some((head, tail)) => {
            format!("{head}{BEGIN}{safe}{END}{tail}").replace("Swagger UI</title>", "Windlass API</title>")
        }
        None => page.to_owned(),
    }
}
