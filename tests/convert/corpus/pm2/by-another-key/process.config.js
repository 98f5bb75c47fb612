module.exports = {
  pm2 : [{
    script : "./elements/error.js"
  }, {
    script : "./elements/cluster.js",
    instances : 2
  }]
}
