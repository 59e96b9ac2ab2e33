//! The `Authorization` header as a handler argument. It is the first argument of every handler, so that missing
//! credentials are reported before any other problem with the request.

use std::sync::Arc;

use poem::http::header;
use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaSecurityScheme, Registry};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use crate::access::Caller;
use crate::app::App;
use crate::engine::requester::Requester;
use crate::error::Error;
use crate::input::stored_text;

const BEARER: &str = "bearerAuth";
const TOKEN: &str = "ApiKeyAuth";

/// The authenticated caller. Without a valid credential the request is answered with 401.
pub(super) struct Auth(pub(super) Caller);

impl Auth {
    /// The caller, in the form that deployments record.
    pub(super) fn requester(&self) -> Requester {
        Requester {
            name: self.0.name().to_owned(),
            email: self.0.email().map(str::to_owned),
            origin: self.0.origin,
            user_agent: self.0.user_agent.clone(),
        }
    }
}

fn scheme(kind: &'static str) -> MetaSecurityScheme {
    MetaSecurityScheme {
        ty: kind,
        description: None,
        name: None,
        key_in: None,
        scheme: None,
        bearer_format: None,
        flows: None,
        openid_connect_url: None,
    }
}

impl<'a> ApiExtractor<'a> for Auth {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        let bearer = MetaSecurityScheme { scheme: Some("bearer"), bearer_format: Some("JWT"), ..scheme("http") };
        let token = MetaSecurityScheme { name: Some("Authorization"), key_in: Some("header"), ..scheme("apiKey") };
        registry.create_security_scheme(BEARER, bearer);
        registry.create_security_scheme(TOKEN, token);
    }

    fn security_schemes() -> Vec<&'static str> {
        vec![BEARER, TOKEN]
    }

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<Self::ParamType>,
    ) -> poem::Result<Self> {
        let app = request.data::<Arc<App>>().ok_or_else(|| Error::internal("no App is attached to the request"))?;
        let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
        let caller = app.authenticator.caller(text(header::AUTHORIZATION), text(header::USER_AGENT)).await?;
        stored_text::check_address(request.uri().path(), request.uri().query()).map_err(Error::from)?;
        Ok(Self(caller))
    }
}
