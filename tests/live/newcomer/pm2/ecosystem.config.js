// How it runs on the server
module.exports = {
  apps: [
    {
      name: 'api',
      script: './api/index.js',
      instances: 2,
      exec_mode: 'cluster',
      node_args: '--max-old-space-size=128',
      env: { NODE_ENV: 'development', PORT: 15600 },
      env_production: { NODE_ENV: 'production' },
      watch: false,
      max_memory_restart: '500M',
      error_file: './logs/err.log',
    },
    {
      name: 'admin',
      cwd: './admin',
      script: 'server.js',
      env: { PORT: 15610, API_URL: 'http://localhost:15600' },
      kill_timeout: 3000,
    },
    { name: 'report', script: 'api/report.js', autorestart: false },
  ],
};
