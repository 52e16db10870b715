import { command } from "../../command.ts";

const TEXT = `rnx finds its servers, and its certificate for each, in rnx-config.yml:

version: "3.0"
nodes:
  default:
    address: "192.168.1.100:50051"
    nodeId: "build-host"      # optional: shown by 'rnx job list' and 'rnx nodes'
    isDefault: true           # optional: used without --node; else 'default' is, else the only one
    cert: |
      -----BEGIN CERTIFICATE-----
      ...
    key: |
      -----BEGIN PRIVATE KEY-----
      ...
    ca: |
      -----BEGIN CERTIFICATE-----
      ...
  viewer:
    address: "192.168.1.100:50051"
    ...

The first of these files that exists is used:
  --config FILE, or $RNX_CONFIG: must exist
  $JOBLET_HOME/config/rnx-config.yml, if JOBLET_HOME is set
  ./rnx-config.yml
  ./config/rnx-config.yml
  ~/.rnx/rnx-config.yml
  /etc/joblet/rnx-config.yml
  /opt/joblet/config/rnx-config.yml

On the server's host 'joblet certs init' writes one for its admin, 'joblet certs client NAME' one for somebody else.
It holds a private key: chmod 600 it. 'rnx nodes' asks each server whether it takes the certificate.
`;

export const configHelp = command<Record<never, never>, []>(async ({ terminal }) => {
  await terminal.out(TEXT);
  return 0;
});
