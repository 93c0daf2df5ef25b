//! TLS with the certificates that the machine trusts.

use std::sync::Arc;

use dalsegno::{Error, ErrorKind, Result};
use rustls::{ClientConfig, RootCertStore};

/// What a connection through TLS is made with; one that is not `secure` needs no certificates.
pub(super) fn config(secure: bool) -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    if secure {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| Error::new(ErrorKind::Storage, "TLS cannot be set up").with_source(e))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
