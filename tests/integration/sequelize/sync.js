// What an installation or an upgrade of the cluster does to its tables.
// node sync.js '{"sequelize": 5 | 6, "edition": …, "options": {"alter": true}, "database": {database, host, …}}'
'use strict';

const define = require('./model');

const { sequelize: version, edition, options, database } = JSON.parse(process.argv[2]);
const Sequelize = require(`sequelize${version}`);

async function main() {
  const sequelize = new Sequelize({ ...database, dialect: 'postgres', logging: (line) => console.log(line) });
  define(sequelize, Sequelize.DataTypes, edition);
  await sequelize.sync(options);
  await sequelize.close();
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
