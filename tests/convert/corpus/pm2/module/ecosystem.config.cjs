// made by `pm2 init simple`
"use strict";
module.exports = {
  apps: [{
    name: 'it\'s "a"', // quoted
    script: './a.js',
    args: ['--x', "y z"],
    env: {NODE_ENV: 'production', PORT: 8475,},
    autorestart: false,
  }],
};
