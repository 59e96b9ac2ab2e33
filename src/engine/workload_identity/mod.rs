//! Identity tokens of workspace steps: short-lived JWTs by which a cloud or a vault knows which workspace asks, so that no long-lived
//! credential has to be stored (OIDC). Variables of a workspace say for whom they are.

mod identity_claims;
mod step_identity;
mod token_signature;
mod wanted_token;

pub use self::step_identity::{StepIdentity, TokenFile, of_step};
pub use self::token_signature::{DISCOVERY, KeySet, delete_replaced, key_set};
