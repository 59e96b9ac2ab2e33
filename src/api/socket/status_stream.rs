//! /deployment/status: the state of an environment stage by stage.

use entity::environment;
use poem::web::websocket::{BoxWebSocketUpgraded, WebSocket};
use poem::{Request, handler};

use super::connection::{FrameSource, upgrade};
use super::request::{app, caller, requested_environment};
use crate::access::{self, Action, Caller};
use crate::api::status;
use crate::app::App;
use crate::error::Result;

#[handler]
pub(in crate::api) async fn deployment_status(request: &Request, socket: WebSocket) -> Result<BoxWebSocketUpgraded> {
    let app = app(request)?;
    let caller = caller(&app, request).await?;
    let environment = requested_environment(&app, &caller, request).await?;
    Ok(upgrade(socket, app, caller, EnvironmentStatusSource { environment, last: String::new() }))
}

/// The state of an environment, sent whenever it changes.
struct EnvironmentStatusSource {
    environment: environment::Model,
    last: String,
}

impl FrameSource for EnvironmentStatusSource {
    async fn next_frames(&mut self, app: &App, caller: &Caller) -> Result<Vec<String>> {
        let environment = access::environment(&app.db, caller, Action::View, self.environment.id).await?;
        let frame = status::with_stages(&app.db, &environment).await?.into_text()?;
        Ok(changed(&mut self.last, frame))
    }
}

pub(super) fn changed(last: &mut String, frame: String) -> Vec<String> {
    if *last == frame {
        return Vec::new();
    }
    last.clone_from(&frame);
    vec![frame]
}
