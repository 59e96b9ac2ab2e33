//! Serves the contract, and a reference page for it.

use poem::web::Html;
use poem::{Response, handler};
use poem_openapi::OpenApiService;

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

fn contract_as_json() -> Result<String, serde_yaml_ng::Error> {
    let contract: serde_json::Value = serde_yaml_ng::from_str(CONTRACT)?;
    Ok(contract.to_string())
}

/// The API reference: a single page that loads no external resources.
#[handler]
pub(super) fn reference() -> poem::Result<Html<String>> {
    let contract = contract_as_json().map_err(Error::internal)?;
    let page = OpenApiService::new((), "Windlass", env!("CARGO_PKG_VERSION")).swagger_ui_html();
    Ok(Html(with_contract(&page, &contract)))
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
