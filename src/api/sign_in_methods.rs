//! Tells programs how people sign in. It needs no credential, and contains nothing that is secret.

use std::sync::Arc;

use poem::web::{Data, Json};
use poem::{IntoResponse as _, Response, handler};
use serde::Serialize;

use crate::app::App;

#[derive(Serialize)]
struct SignInMethods<'a> {
    /// Null if there is none.
    device_sign_in: Option<DeviceSignIn<'a>>,
}

/// Where and as which client a program uses the device flow.
#[derive(Serialize)]
struct DeviceSignIn<'a> {
    issuer: &'a str,
    client_id: &'a str,
    audience: &'a str,
}

#[handler]
pub(super) fn told(Data(app): Data<&Arc<App>>) -> Response {
    Json(SignInMethods { device_sign_in: device_sign_in(app) }).into_response()
}

fn device_sign_in(app: &App) -> Option<DeviceSignIn<'_>> {
    let config = &app.config;
    // A program that anybody may have cannot keep the secret of a client.
    let of_console = config.oidc_client_id.as_deref().filter(|_| config.oidc_client_secret.is_none());
    Some(DeviceSignIn {
        issuer: config.oidc_issuer.as_deref()?,
        client_id: config.oidc_device_client_id.as_deref().or(of_console)?,
        audience: config.oidc_audience.as_deref()?,
    })
}
