//! Who looks at a page.

use std::sync::Arc;

use poem::http::header;
use poem::{FromRequest, Request, RequestBody};

use super::cookie;
use crate::access::Caller;
use crate::app::App;
use crate::engine::requester::Requester;
use crate::error::{Error, Result};
use crate::input::stored_text;

/// Somebody who is signed in. Without a session, a page leads to the sign-in.
pub(super) struct Viewer {
    pub(super) caller: Caller,
    /// The token of the forms of this session.
    pub(super) csrf: String,
    /// The hash of the cookie, as it is stored.
    pub(super) session: String,
}

impl Viewer {
    /// In the form that deployments and events record.
    pub(super) fn requester(&self) -> Requester {
        Requester {
            name: self.caller.name().to_owned(),
            email: self.caller.email().map(str::to_owned),
            origin: self.caller.origin,
            user_agent: self.caller.user_agent.clone(),
        }
    }

    async fn of(request: &Request) -> Result<Self> {
        let app = request.data::<Arc<App>>().ok_or_else(|| Error::internal("no App is attached to the request"))?;
        stored_text::check_address(request.uri().path(), request.uri().query()).map_err(Error::from)?;
        let cookie = cookie::cookie_of(request).ok_or(Error::Unauthenticated("sign in first"))?;
        let agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        let caller = app.authenticator.visitor(&cookie, agent).await?;
        Ok(Self { caller, csrf: cookie::csrf(&cookie), session: cookie::stored(&cookie) })
    }
}

impl<'a> FromRequest<'a> for Viewer {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        Ok(Self::of(request).await?)
    }
}
