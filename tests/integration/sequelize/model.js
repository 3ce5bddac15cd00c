// The tables of an OpenPAI cluster as Sequelize models, in three editions: "v1.7" has no notification columns,
// "v1.8" has them, "next" has wider columns and a new one, as a later release may.
'use strict';

const EVENTS = ['Running', 'Succeeded', 'Failed', 'Stopped', 'Retried'];

const notificationColumns = ({ BOOLEAN, INTEGER }) =>
  Object.fromEntries(
    EVENTS.flatMap((event) => [
      [`notificationAt${event}`, BOOLEAN],
      [`notifiedAt${event}`, event === 'Retried' ? INTEGER : BOOLEAN],
    ]),
  );

function frameworkColumns(types, edition) {
  const { BIGINT, BOOLEAN, DATE, INTEGER, STRING, TEXT } = types;
  const next = edition === 'next';
  const no = { type: BOOLEAN, allowNull: false, defaultValue: false };
  return {
    insertedAt: DATE,
    name: { type: STRING(64), primaryKey: true },
    namespace: STRING(64),
    jobName: STRING(next ? 512 : 256),
    userName: STRING(256),
    jobConfig: TEXT,
    executionType: STRING(32),
    creationTime: DATE,
    virtualCluster: STRING(256),
    jobPriority: STRING(256),
    totalGpuNumber: INTEGER,
    totalTaskNumber: INTEGER,
    totalTaskRoleNumber: INTEGER,
    logPathInfix: STRING(256),
    submissionTime: { type: DATE, allowNull: false },
    dockerSecretDef: TEXT,
    configSecretDef: TEXT,
    userExtensionSecretDef: TEXT,
    tokenSecretDef: TEXT,
    priorityClassDef: TEXT,
    retries: next ? BIGINT : INTEGER,
    retryDelayTime: INTEGER,
    platformRetries: INTEGER,
    resourceRetries: INTEGER,
    userRetries: INTEGER,
    launchTime: DATE,
    completionTime: DATE,
    appExitCode: INTEGER,
    subState: STRING(next ? 64 : 32),
    state: STRING(next ? 64 : 32),
    snapshot: TEXT,
    requestSynced: no,
    apiServerDeleted: no,
    archived: no,
    ...(edition === 'v1.7' ? {} : notificationColumns(types)),
    ...(next ? { somethingNew: STRING(32) } : {}),
  };
}

module.exports = function define(sequelize, types, edition) {
  const framework = sequelize.define('framework', frameworkColumns(types, edition), {
    tableName: 'frameworks',
    createdAt: 'insertedAt',
    indexes: [{ fields: ['submissionTime'] }],
  });
  const history = sequelize.define(
    'frameworkHistory',
    { uid: { type: types.STRING(36), primaryKey: true }, attemptIndex: types.INTEGER, snapshot: types.TEXT },
    { tableName: 'framework_history', createdAt: 'insertedAt' },
  );
  framework.hasMany(history, { foreignKey: 'frameworkName', onDelete: 'CASCADE' });
};
