"""Where pages come from: repositories, sites, exports, uploads, channels."""
